#!/bin/sh
# A command under a lock that ends when there is a file.
#
#   hold.sh NAME     ends when there is finish-NAME; when it has begun there is began-NAME
echo "$DLM_TOKEN" > "$KILL_STAGE/began-$1"
until [ -e "$KILL_STAGE/finish-$1" ]; do sleep 0.02; done
