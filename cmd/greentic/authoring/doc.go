// Package authoring has the commands of people who write components: component new, build, test and doctor.
//
// What it is: flags, the folders and files people mean, and the printing; the work is done by devkit and build.
// Who calls it: the greentic command. What it refuses to do: look at a platform that runs, or change anything but
// the component it builds. Main types: [Terminal]. Its promises are tested by the component scripts of
// cmd/greentic, component_new.txtar and those beside it.
package authoring
