"""Early warnings: what the signed records say that a person should look at (study-session.md, "Early warnings").

`trace` reads one session into figures, `rows` puts figures of many sessions together, `rule` judges a row by data of
`server_stub/warnings/`, `inspector` does so by the clock and keeps what it found. A warning is a question: it opens
nothing by itself, and names the ordinary life that it might be.
"""
