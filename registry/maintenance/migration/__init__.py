"""Migration of a registry between its data folder and what nodes share: copied, compared, then switched over."""
