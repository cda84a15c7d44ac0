mkdir -m 700 secure
