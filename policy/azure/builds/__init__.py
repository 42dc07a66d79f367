"""Quick builds of ACR Tasks: a context is unpacked, built by a program of the machine, and the image pushed here."""
