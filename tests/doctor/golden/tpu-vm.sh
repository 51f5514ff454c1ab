#!/bin/bash
# From the clone, where gcloud is set up: bash FILE create, then install, check
# and train, one after the other; log, stop and delete. The commit that is
# checked out here has to be at REPOSITORY.
set -euo pipefail
NAME=${NAME:-resnet-rs}
ZONE=${ZONE:-us-west4-a}
TYPE=${TYPE:-v5litepod-16}
VERSION=${VERSION:-v2-alpha-tpuv5-lite}
SLICES=${SLICES:-1}
REPOSITORY=${REPOSITORY:-$(git remote get-url origin)}
COMMIT=${COMMIT:-$(git rev-parse HEAD)}
ARGUMENTS='--config=configs/imagenet/resnet_rs.py:rs152_i256 '"'"'--config.augment.area=(0.1, 1.0)'"'"' --workdir=gs://BUCKET/resflax/resnet-rs'

everywhere() { # runs a command on every host of every slice
  if ((SLICES > 1)); then
    gcloud compute tpus queued-resources ssh "$NAME" --zone="$ZONE" \
      --node=all --worker=all --command="$1"
  else
    gcloud compute tpus tpu-vm ssh "$NAME" --zone="$ZONE" \
      --worker=all --command="$1"
  fi
}

case ${1:-} in
  create) # waits in the queue; add --spot, --reserved or a time limit here
    nodes=(--node-id="$NAME")
    if ((SLICES > 1)); then
      nodes=(--node-count="$SLICES" --node-prefix="$NAME")
    fi
    gcloud compute tpus queued-resources create "$NAME" --zone="$ZONE" \
      --accelerator-type="$TYPE" --runtime-version="$VERSION" "${nodes[@]}"
    ;;
  state) # ACTIVE once the slices are there
    gcloud compute tpus queued-resources describe "$NAME" --zone="$ZONE" \
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
    everywhere "cd resflax && nohup .venv/bin/python -u -m scripts.train \
      $ARGUMENTS >> ~/train.log 2>&1 < /dev/null &"
    ;;
  log)
    node=$NAME
    if ((SLICES > 1)); then node=$NAME-0; fi
    gcloud compute tpus tpu-vm ssh "$node" --zone="$ZONE" --worker=0 \
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
