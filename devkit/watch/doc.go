// Package watch notices when the files of a source folder change.
//
// What it is: a folder that is looked at again and again; sizes and times say what may have changed,
// contents what did. Who calls it: devkit/dev. What it refuses to do: report a save that leaves a
// file as it was, or one that is still going on; follow symbolic links; look at what nobody writes by
// hand (hidden files, editors' backups, built packs, installed packages). Main type: [Folder]. Its
// promises are tested in watch_test.go.
package watch
