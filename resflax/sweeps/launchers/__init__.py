"""What starts a run's command with its resources, and says when it has ended.

A launcher decides nothing: which runs are left, what is tried again and what
is done is the driver's, who reads it in the run folders. The `check` of each
refuses settings, or a machine, that it cannot be made from: a command asks it
first, and begins nothing.
"""

from resflax.sweeps.launchers.local import Local
from resflax.sweeps.launchers.ray import Ray
from resflax.sweeps.launchers.slurm import Slurm

LAUNCHERS = {'local': Local, 'ray': Ray, 'slurm': Slurm}
