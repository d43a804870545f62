#!/bin/sh
# usage: watchdog.sh <signal> <grace in tenths of seconds> <command> [argument...]   (standard input: a pipe held by the launcher)
# The command takes this process's place, so its pid and its exit status are what the launcher sees. Beside it stays a
# small shell that reads the pipe: end of file means the launcher is gone, however it ended, and the command is stopped.
# That shell is in the command's process group, so the kernel cannot give the group's number to anybody else meanwhile.
signal=$1
grace=$2
shift 2
exec 3<&0
(
  trap '' HUP INT TERM
  cat <&3 >/dev/null
  kill -s "$signal" $$ 2>/dev/null
  while [ "$grace" -gt 0 ] && kill -s 0 $$ 2>/dev/null; do
    sleep 0.1
    grace=$((grace - 1))
  done
  kill -s KILL -- -$$ 2>/dev/null
) &
exec "$@" 3<&- </dev/null
