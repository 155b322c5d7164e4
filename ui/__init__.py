"""The explorer: Streamlit pages over results folders. It reads files and never simulates."""
