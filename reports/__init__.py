"""Run files -> pages, Markdown and pictures.

`model` holds the data of a report, `plotting` what charts share, `figures` one file for each chart, `sections` the
order of the page; `html`, `markdown`, `images` and `history_page` write the outputs.
"""
