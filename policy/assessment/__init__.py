"""From a manifest to facts, and from facts to a verdict."""
