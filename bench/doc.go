//go:build unix

// Command bench measures what docs/reference and README claim and compares it with the bars.
//
// What it is: a list of measurements, printed as a table and written to bench/latest.json. Who
// calls it: make bench. What it refuses to do: report a lone wall-clock time as a cost; costs are
// processor time of the process, with the machine's load beside them. Main type: [figure]. Public
// components are measured where GREENTIC_INPUT names a folder that holds them. A bar that is not
// met stays in the list as not met. Folder peers holds what others reach, measured by make bench-peers.
package main
