"""The report of a run: frames (results to DataFrame), charts (DataFrame to chart), figures (findings), page (HTML)."""
