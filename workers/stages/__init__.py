"""The verbs of a run, one module each. Stages decide; they never import each other and never catch errors."""
