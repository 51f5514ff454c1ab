#!/bin/bash
# Submit from the clone, which all nodes see: sbatch FILE. Options given to
# sbatch win over those here: sbatch --nodes=4 FILE.
#SBATCH --job-name=resnet-rs
#SBATCH --nodes=2
# One task a GPU. JAX gives each task its own of all GPUs of the node, so they
# are asked for by node: with --gpus-per-task or --gpu-bind it would miss them.
#SBATCH --ntasks-per-node=8
#SBATCH --gpus-per-node=8
#SBATCH --cpus-per-task=8
#SBATCH --mem=0
#SBATCH --exclusive
#SBATCH --time=24:00:00
# Two minutes to save before the time is over; the job then queues again.
#SBATCH --signal=TERM@120
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=%x-%j.log
set -euo pipefail
cd "$SLURM_SUBMIT_DIR"
source .venv/bin/activate

# Ends the job here, with the exit code that the run would end with.
srun python -u -m scripts.doctor --config=configs/imagenet/resnet_rs.py:rs152_i256 '--config.augment.area=(0.1, 1.0)' --workdir=runs/resnet-rs

# The first to end leaves the others time to save; a lost one they miss
# themselves.
code=0
srun --kill-on-bad-exit=0 --wait=120 \
  python -u -m scripts.train --config=configs/imagenet/resnet_rs.py:rs152_i256 '--config.augment.area=(0.1, 1.0)' --workdir=runs/resnet-rs || code=$?

# 42: asked to stop, and saved. 75 and 134: a process was lost, or hung. The
# same command goes on from the last save, though not for ever.
case $code in
  42 | 75 | 134)
    if ((${SLURM_RESTART_COUNT:-0} < 20)); then
      scontrol requeue "$SLURM_JOB_ID"
    fi
    ;;
esac
exit "$code"
