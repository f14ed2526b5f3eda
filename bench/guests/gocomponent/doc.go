// Command gocomponent makes a component of the core module that Go wrote, with a world of its own.
//
// What it is: build/componentise for the guest of the measurements, whose interfaces are not the platform's. Who calls
// it: bench/guests/build.sh, with the module, the WIT and the file to write. What it refuses to do: anything
// else. Main function: run. Tested by the measurements, which run what it makes.
package main
