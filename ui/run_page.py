"""The page of one run: its figures in words, and the report's charts. It composes; it computes nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import streamlit as st

from sim.results import ResultsError, Section
from sim.results.report.figure import Figure
from sim.results.summary import caption_line, key_figures
from ui import charts, frames

_MARKUP = re.compile(r"([\\`*_{}\[\]()#+.!|$<>:~-])")
CARD = 165


def plain(text: str) -> str:
    """Text that Markdown leaves as it is."""
    return _MARKUP.sub(r"\\\1", text)


def show() -> None:
    """The whole page."""
    st.set_page_config(page_title="undertow", page_icon="🌊", layout="centered")
    root = frames.runs_root()
    names = frames.run_names(root)
    if not names:
        _nothing_yet()
        return
    name = _chosen(names)
    folder = frames.folder_of(root, name)
    if folder is None:
        st.error(plain(f"The run {name} is gone. Nothing else is affected; choose another."))
    elif frames.state_of(folder) == "running":
        _running(folder)
    else:
        _opened(root, name, folder)


def _nothing_yet() -> None:
    st.title("undertow")
    st.markdown("There is no run here yet. This command makes one in a moment, then look again:")
    st.code("undertow run demo", language="bash")
    st.button("Look again")


def _chosen(names: list[str]) -> str:
    asked = st.query_params.get("run")
    with st.sidebar:
        name = st.selectbox("Run", names, key="run", bind="query-params", help="Newest first")
    if asked and asked not in names:
        st.info("The run named in the link is not here; the newest one is shown.")
    return str(name)


def _running(folder: Path) -> None:
    st.title(plain(folder.name))
    if not frames.is_alive(folder):
        st.warning("This run was stopped before it could keep anything. Run it again; nothing else is affected.")
        return

    @st.fragment(run_every=0.5)
    def follow() -> None:
        if frames.state_of(folder) != "running":
            st.rerun()
        fraction, words = frames.progress_of(folder)
        st.progress(fraction, text=plain(f"Running: {words}"))

    follow()
    st.markdown("The run goes on when this page is closed.")


@st.cache_resource(max_entries=4, show_spinner="Reading the run …")
def _read(folder: str, written: int) -> frames.Opened:
    return frames.open_run(Path(folder))


def _opened(root: Path, name: str, folder: Path) -> None:
    try:
        opened = _read(str(folder), frames.manifest_time(root, name))
    except ResultsError as error:
        st.title(plain(name))
        st.error(plain(frames.friendly(error, root)))
        st.markdown("Other runs are not affected. Run it again, or choose another.")
        return
    manifest = opened.run.manifest
    st.title(plain(str(manifest.get("title") or manifest.get("name"))))
    st.markdown(f":small[{plain(caption_line(manifest))} · model output, not advice]")
    if manifest.get("state") != "done":
        st.warning(plain(f"This run is {manifest.get('state')}: the figures cover what was recorded."))
    st.markdown(f"**{plain(opened.summary.headline)}**")
    _cards(opened)
    for figure in opened.figures:
        _figure(figure)
    st.header("All figures")
    for section in opened.summary.sections:
        if section.key != "trust":
            _section(section)
    _files(folder, manifest.get("content_hash"))


def _cards(opened: frames.Opened) -> None:
    with st.container(horizontal=True):
        for card in key_figures(opened.summary.values):
            st.metric(card.label, card.value, card.note, delta_color="off", delta_arrow="off", border=True, width=CARD)


def _figure(figure: Figure) -> None:
    st.subheader(plain(figure.title), anchor=False)
    st.altair_chart(charts.page_chart(figure), width="stretch", alt=figure.title, key=f"chart-{figure.key}")
    st.markdown(f":small[{plain(figure.caption)}]")
    file = f"{figure.key}.csv"
    st.download_button(
        "Data", lambda: charts.csv(figure), file, "text/csv", key=file, type="tertiary", on_click="ignore"
    )


def _section(section: Section) -> None:
    st.markdown(f"**{plain(section.title)}**")
    rows = [[plain(cell) for cell in row] for row in section.rows]
    headers = list(section.headers) or [" " * place for place in range(1, len(rows[0]) + 1)]
    st.table(pd.DataFrame(rows, columns=headers), border="horizontal", hide_index=True, hide_header=not section.headers)
    if section.note:
        st.markdown(f":small[{plain(section.note)}]")


def _files(folder: Path, content_hash: str | None) -> None:
    st.markdown(f":small[Content hash {content_hash or 'none'}]")
    report = folder / "report.html"
    if report.is_file():
        st.download_button("Report (HTML, offline)", report.read_bytes, "report.html", "text/html", on_click="ignore")
