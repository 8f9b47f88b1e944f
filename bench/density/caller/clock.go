package main

import "golang.org/x/sys/unix"

// now is CLOCK_MONOTONIC in seconds, the clock of Python's time.monotonic: times of both programs can be compared.
func now() float64 {
	var at unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &at); err != nil {
		panic(err) // every Linux has this clock
	}
	return float64(at.Sec) + float64(at.Nsec)/1e9
}
