#!/bin/bash
# From the clone, where gcloud, docker and xpk are set up, for a cluster that
# `xpk cluster create` has made: bash FILE.
set -euo pipefail
NAME=${NAME:-resnet-rs} # letters, digits and dashes
PROJECT=${PROJECT:-$(gcloud config get-value project)}
ZONE=${ZONE:-us-west4-a}
CLUSTER=${CLUSTER:-resflax}
TYPE=${TYPE:-v5litepod-16}
SLICES=${SLICES:-1}
IMAGE=${IMAGE:-gcr.io/$PROJECT/resflax:$(git rev-parse --short HEAD)}
ARGUMENTS='--config=configs/imagenet/resnet_rs.py:rs152_i256 '"'"'--config.augment.area=(0.1, 1.0)'"'"' --workdir=gs://BUCKET/resflax/resnet-rs'

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
xpk workload create \
  --cluster="$CLUSTER" --project="$PROJECT" --zone="$ZONE" \
  --workload="$NAME" --tpu-type="$TYPE" --num-slices="$SLICES" \
  --docker-image="$IMAGE" \
  --max-restarts=20 --restart-on-exit-codes=75 \
  --termination-grace-period-seconds=120 \
  --command="$check && exec $train"
