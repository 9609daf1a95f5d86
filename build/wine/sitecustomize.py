"""For Python under Wine 8 alone: what it has only by name is taken away, so that the standard library goes round it."""

import _winapi

if hasattr(_winapi, "CopyFile2"):
    del _winapi.CopyFile2
