// Command triage is the component helpdesk.triage: it reads a problem in German or English and
// says what it is about and how urgent it is.
//
// What it is: a pure component with one operation, classify. Who calls it: the helpdesk flow.
// What it refuses to do: remember, ask the network, guess without a word to go by (the
// category is then "other"). Main function: classify. Tested in classify_test.go.
package main
