#!/bin/bash
# Everything that only a GPU can show, in under 12 minutes, with one table at the end.
#
#   benchmarks/gpu.sh [--out DIR]          on a machine with a CUDA device
#   benchmarks/gpu.sh --cpu [--out DIR]    every step, shortened, on the CPU: tries the script, its figures say nothing
#
# What it needs: bash, timeout, a C compiler (for --compile), and a bare machine's Python with torch and the other
# libraries; Python 3.12 with torch 2.11 was tried. It runs from a copy of the tree and installs nothing. PYTHON names the
# interpreter (python3). Missing libraries are named. If the machine has no network, put them into a folder elsewhere,
# with what they need in turn, and name it in PYTHONPATH there; for pydantic and platformdirs (10 MB):
#
#   pip install --target build/gpu/libraries --python-version 3.12 --only-binary :all: pydantic platformdirs
#   PYTHONPATH=$PWD/build/gpu/libraries benchmarks/gpu.sh
#
# All steps together have 690 seconds, of which the processes' start takes a part. Each step has its own limit, and a
# step that fails stops no other. Exit status: 0 all steps passed, 1 one did not, 2 nothing could be run.
#
# The table is DIR/table.md (build/gpu/results by default), beside one log a step. Bring it back into the README with the
# name of the GPU: no figure of a GPU has been measured yet.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 2

budget=690 # seconds in all
patience=1 # by how much each limit is longer
device=cuda
out=build/gpu/results
while (($#)); do
    case $1 in
        --cpu) device=cpu budget=7200 patience=10 ;;
        --out) out=${2:?--out needs a folder} && shift ;;
        *) echo "gpu.sh: unknown argument '$1'; there are --cpu and --out DIR" >&2 && exit 2 ;;
    esac
    shift
done

python=${PYTHON:-python3}
mkdir -p "$out" || exit 2
"$python" benchmarks/gpu_prepare.py build/gpu/path --device "$device" || exit 2
rows=$out/rows.jsonl
: >"$rows"
export PYTHONPATH=$PWD/build/gpu/path${PYTHONPATH:+:$PYTHONPATH}
export PYTHONUNBUFFERED=1 RESTORE_TEST_DEVICE=$device XDG_CACHE_HOME=$PWD/build/gpu/cache
failed=0

step() { # step NAME LIMIT COMMAND…: run it for at most LIMIT seconds, and note how it ended
    local name=$1 limit=$2 began=$SECONDS status result log
    shift 2
    ((limit *= patience))
    ((limit > budget - SECONDS)) && limit=$((budget - SECONDS))
    log="$out/${name//[ \/]/-}.log"
    printf '=== %s (at most %d s): %s\n' "$name" "$limit" "$*"
    if ((limit < 5)); then
        status=125 result="not run: no time left"
    else
        timeout --kill-after=5 "$limit" "$@" >"$log" 2>&1
        status=$?
        case $status in
            0) result=passed ;;
            124 | 137) result="out of time" ;;
            *) result="failed ($status)" ;;
        esac
    fi
    printf '=== %s: %s, %d s\n' "$name" "$result" $((SECONDS - began))
    printf '{"step": "%s", "result": "%s", "seconds": %d}\n' "$name" "$result" $((SECONDS - began)) >>"$rows"
    if ((status)); then
        failed=1
        [[ -f $log ]] && tail -n 25 "$log"
    else
        # rows that the step printed
        sed -n 's/^ROW //p' "$log" >>"$rows"
        grep -E '^[0-9]+ (passed|failed|skipped)' "$log"
    fi
    return 0
}

tests=("$python" -m pytest -q -p no:cacheprovider -m cuda --basetemp "$PWD/build/gpu/tests" -rs tests/core/test_cuda.py)
measure=("$python" benchmarks/gpu_steps.py --device "$device")
tasks=$("${measure[@]}" tasks) || exit 2

step "cuda tests" 120 "${tests[@]}" -k "not two_processes"
step "two processes on one device" 120 "${tests[@]}" -k two_processes
step "fp16 with two optimizers" 60 "${measure[@]}" fp16
step "speed" 90 "${measure[@]}" speed
step "compile" 120 "${measure[@]}" compile
for task in $tasks; do
    step "$task" 45 "${measure[@]}" task "$task"
done

echo
"$python" benchmarks/gpu_prepare.py --table "$rows" | tee "$out/table.md"
exit $failed
