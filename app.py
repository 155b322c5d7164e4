"""The explorer in a browser: `streamlit run app.py`."""

from ui.run_page import show

show()
