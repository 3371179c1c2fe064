"""Pages that are one file: HTML with its styles, scripts and images inside, which loads nothing from anywhere.

``page`` joins the parts, ``embedding`` makes images part of a page, and ``static/`` has the styles and the elements
that pages share (a slider that compares two images, views that zoom together). A server sends the same files.
"""
