"""What a job does, step by step: from its log joined with the workflow file, or from the workflow file alone.

`finding` finds the job and the combination that failed, `bound` says what its expressions may use, `inlined` puts the
repository's own actions in place, `from_log` and `from_file` make the steps. The log gives scripts after interpolation;
the file gives what the log lacks, working directories and later steps.
"""

from __future__ import annotations

from workers.job_steps.bound import Bound
from workers.job_steps.collected import JobSteps
from workers.job_steps.finding import Known, find, names
from workers.job_steps.from_file import from_file
from workers.job_steps.from_log import from_log
from workers.job_steps.limits import refuse, refuse_docker

__all__ = ["Bound", "JobSteps", "Known", "find", "from_file", "from_log", "names", "refuse", "refuse_docker"]
