"""A GitHub workflow file as typed jobs and steps, expressions and all. Only the file's own text is known here.

`reading` reads it and the action files of the repository, `model` has the values, `matrix` spreads a job's matrix.
"""

from __future__ import annotations

from workers.workflow.model import Input, Job, Step, Workflow, WorkflowError, own_path
from workers.workflow.reading import Composite, parse, parse_action

__all__ = ["Composite", "Input", "Job", "Step", "Workflow", "WorkflowError", "own_path", "parse", "parse_action"]
