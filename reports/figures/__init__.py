"""The charts of the page, one file each, with `figures(report)`; `joulemark.reports.sections` lists them."""
