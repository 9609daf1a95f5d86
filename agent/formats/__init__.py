"""File formats of browsers' own stores, read without their libraries: pure, bounded, nothing is written or locked."""
