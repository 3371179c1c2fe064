"""The HTTP server of ``restore serve``: predictions for a web page and for programs.

``app`` answers requests, ``guard`` refuses those of strangers, ``uploads`` and ``work`` take files in, ``jobs`` queues
the work, and ``prediction`` does it, one image at a time, with models of ``catalog``. ``form`` describes the options of
a task, ``openapi`` all of this for programs; ``listening`` is the server below.
"""
