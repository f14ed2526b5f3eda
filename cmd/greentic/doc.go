// Command greentic is the product: one binary that builds, checks, runs and serves packs.
//
// What it is: the command line over the packages of this module. Who calls it: people,
// scripts and service managers. What it refuses to do: hold logic; a command parses its
// flags, calls one package and prints. Main type: [environment], what every command gets.
// Its promises are tested by the scripts in testdata/script.
package main
