"""The pull-through cache: repositories are filled from upstreams as they are pulled, through the services of a push."""
