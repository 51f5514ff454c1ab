"""Scripts that start a run on Slurm, on Cloud TPU VMs, and on GKE by xpk.

`@NAME@`, `@ARGUMENTS@` and, once more quoted, `@QUOTED@` are filled in.

Sources: the manual pages of sbatch and srun; the reference of `gcloud compute
tpus`; docs/usage of github.com/AI-Hypercomputer/xpk, and its wrapper of the
command; JAX's detection of Slurm (jax/_src/clusters).
"""

SLURM = """\
#!/bin/bash
# Submit from the clone, which all nodes see: sbatch FILE. Options given to
# sbatch win over those here: sbatch --nodes=4 FILE.
#SBATCH --job-name=@NAME@
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
srun python -u -m scripts.doctor @ARGUMENTS@

# The first to end leaves the others time to save; a lost one they miss
# themselves.
code=0
srun --kill-on-bad-exit=0 --wait=120 \\
  python -u -m scripts.train @ARGUMENTS@ || code=$?

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
"""

TPU_VM = """\
#!/bin/bash
# From the clone, where gcloud is set up: bash FILE create, then install, check
# and train, one after the other; log, stop and delete. The commit that is
# checked out here has to be at REPOSITORY.
set -euo pipefail
NAME=${NAME:-@NAME@}
ZONE=${ZONE:-us-west4-a}
TYPE=${TYPE:-v5litepod-16}
VERSION=${VERSION:-v2-alpha-tpuv5-lite}
SLICES=${SLICES:-1}
REPOSITORY=${REPOSITORY:-$(git remote get-url origin)}
COMMIT=${COMMIT:-$(git rev-parse HEAD)}
ARGUMENTS=@QUOTED@

everywhere() { # runs a command on every host of every slice
  if ((SLICES > 1)); then
    gcloud compute tpus queued-resources ssh "$NAME" --zone="$ZONE" \\
      --node=all --worker=all --command="$1"
  else
    gcloud compute tpus tpu-vm ssh "$NAME" --zone="$ZONE" \\
      --worker=all --command="$1"
  fi
}

case ${1:-} in
  create) # waits in the queue; add --spot, --reserved or a time limit here
    nodes=(--node-id="$NAME")
    if ((SLICES > 1)); then
      nodes=(--node-count="$SLICES" --node-prefix="$NAME")
    fi
    gcloud compute tpus queued-resources create "$NAME" --zone="$ZONE" \\
      --accelerator-type="$TYPE" --runtime-version="$VERSION" "${nodes[@]}"
    ;;
  state) # ACTIVE once the slices are there
    gcloud compute tpus queued-resources describe "$NAME" --zone="$ZONE" \\
      --format='value(state.state)'
    ;;
  install) # the images have Python 3.10, and resflax needs 3.11
    everywhere "
      set -e
      [ -d resflax ] || git clone -q '$REPOSITORY' resflax
      cd resflax
      git fetch -q
      git checkout -q '$COMMIT'
      curl -LsSf https://astral.sh/uv/install.sh | sh
      [ -d .venv ] || ~/.local/bin/uv venv -q --python 3.11 --seed .venv
      .venv/bin/pip install -q -c constraints.txt -e '.[tpu,gcs]'"
    ;;
  check)
    everywhere "cd resflax && .venv/bin/python -m scripts.doctor $ARGUMENTS"
    ;;
  train) # outlives the connection; again after a stop goes on
    everywhere "cd resflax && nohup .venv/bin/python -u -m scripts.train \\
      $ARGUMENTS >> ~/train.log 2>&1 < /dev/null &"
    ;;
  log)
    node=$NAME
    if ((SLICES > 1)); then node=$NAME-0; fi
    gcloud compute tpus tpu-vm ssh "$node" --zone="$ZONE" --worker=0 \\
      --command='tail -n 100 -f train.log'
    ;;
  stop) # all save the same step and exit with 42
    everywhere "pkill -TERM -f '[s]cripts.train'"
    ;;
  delete)
    gcloud compute tpus queued-resources delete "$NAME" --zone="$ZONE" --force
    ;;
  *)
    echo "usage: $0 create|state|install|check|train|log|stop|delete" >&2
    exit 5
    ;;
esac
"""

XPK = """\
#!/bin/bash
# From the clone, where gcloud, docker and xpk are set up, for a cluster that
# `xpk cluster create` has made: bash FILE.
set -euo pipefail
NAME=${NAME:-@NAME@} # letters, digits and dashes
PROJECT=${PROJECT:-$(gcloud config get-value project)}
ZONE=${ZONE:-us-west4-a}
CLUSTER=${CLUSTER:-resflax}
TYPE=${TYPE:-v5litepod-16}
SLICES=${SLICES:-1}
IMAGE=${IMAGE:-gcr.io/$PROJECT/resflax:$(git rev-parse --short HEAD)}
ARGUMENTS=@QUOTED@

# The commit that is checked out, without what is not committed.
context=$(mktemp -d)
trap 'rm -rf "$context"' EXIT
git archive HEAD | tar -x -C "$context"
cat > "$context/Dockerfile" <<'END'
FROM python:3.11-slim
WORKDIR /resflax
COPY . .
RUN pip install --no-cache-dir -q -c constraints.txt -e '.[tpu,gcs]'
END
docker build -q -t "$IMAGE" "$context"
docker push -q "$IMAGE"

check="python -u -m scripts.doctor $ARGUMENTS"
train="python -u -m scripts.train $ARGUMENTS"
# xpk restarts after 42 (asked to stop, and saved) and after 127 and above (lost
# a process, by JAX's runtime); 75 is the same, or a hang, found by us. `exec`,
# for a shell in between would keep SIGTERM to itself. A second workload of the
# same name is refused: xpk workload delete --workload="$NAME" first.
xpk workload create \\
  --cluster="$CLUSTER" --project="$PROJECT" --zone="$ZONE" \\
  --workload="$NAME" --tpu-type="$TYPE" --num-slices="$SLICES" \\
  --docker-image="$IMAGE" \\
  --max-restarts=20 --restart-on-exit-codes=75 \\
  --termination-grace-period-seconds=120 \\
  --command="$check && exec $train"
"""
