"""Pages for people, and the same as JSON: HTML that is whole without JavaScript."""
