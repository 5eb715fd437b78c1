#!/bin/bash
# Does the jobs of a folder; start as many of these as you like, each job is done once. One that is killed leaves its
# job to the others.
cd "${1:?say in which folder}" && eval "$(dlm shellenv bash)" || exit
for job in *.job; do
  dlm_lock "$job" -n -q || { echo "$job: another worker is at it"; continue; }
  if [ -e "$job" ]; then # it may have been done since we looked
    sh "./$job" && mv "$job" "${job%.job}.done" && echo "$job: done"
  fi
  dlm_unlock "$job"
done
