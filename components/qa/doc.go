// Command qa is the component greentic.qa: questions to a user, and answers that are checked.
//
// What it is: the operations ask and next, one question after the other; form, all of them as a card; and
// check, all answers at once. Questions are those of the public QA specification, with a few limits more.
// Who calls it: flow nodes. What it refuses to do: send anything, which is for the flow; take an answer
// that is not one. Main types: question, form, reading. Tested in qa_test.go, by qa.componenttest.yaml,
// and in the host by conformance/library.
package main
