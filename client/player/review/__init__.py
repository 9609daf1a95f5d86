"""What a reviewer asks of a course package before it is put on (R0.1–0.7): read, judged, said with its number."""
