"""Analysis: what is measured about a search, and the small problems that can be solved on paper."""
