"""From a verdict to allow, warn or deny, at every access point."""
