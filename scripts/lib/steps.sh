# shellcheck shell=bash
# For sourcing: named steps, each with its seconds; all run, whatever fails before, and finish says what did.
steps=()
steps_failed=0
tests_passed=0
tests_failed=0
tests_skipped=0
failed_tests="" # a line each: step, and what ctest or unittest says of the test

# step NAME COMMAND...: exit code 77 of the command is a skip, its last line the reason.
step() {
  local name=$1 started=$SECONDS status=0 log result counted found
  shift
  mkdir -p build
  log=build/step-$name.log
  echo "=== $name: $*"
  "$@" </dev/null 2>&1 | tee "$log"
  status=${PIPESTATUS[0]}
  result=passed
  ((status == 0)) || result="FAILED (exit code $status)"
  ((status == 0 || status == 77)) || steps_failed=$((steps_failed + 1))
  if ((status != 0 && status != 77)); then
    found=$(sed -nE "/\((Skipped|Disabled)\)/d; s/^(FAIL|ERROR): (.*)/failed: $name: \2/p; s/^\s+[0-9]+ - (.* \([A-Za-z_ ]+\)).*/failed: $name: \1/p" "$log")
    failed_tests+=${found:+$found$'\n'}
  fi
  ((status != 77)) || result="skipped, $(tail -n 1 "$log")"
  counted=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$log" | tail -n 1)
  if [[ $counted =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed(,\ ([0-9]+)\ skipped)? ]]; then
    tests_passed=$((tests_passed + BASH_REMATCH[1]))
    tests_failed=$((tests_failed + BASH_REMATCH[2]))
    tests_skipped=$((tests_skipped + ${BASH_REMATCH[4]:-0}))
    result+=", $counted"
  fi
  steps+=("$(printf '%-12s %5d s  %s' "$name" $((SECONDS - started)) "$result")")
  echo "=== ${steps[-1]}"
}

finish() {
  echo "=== all steps, $SECONDS s"
  printf '%s\n' "${steps[@]}"
  printf "%s" "$failed_tests"
  local line="$tests_passed passed, $tests_failed failed"
  ((tests_skipped == 0)) || line+=", $tests_skipped skipped"
  echo "$line"
  exit $((steps_failed > 0))
}
