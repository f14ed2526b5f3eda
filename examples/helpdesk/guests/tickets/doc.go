// Command tickets is the component helpdesk.tickets: it keeps the tickets of one person and
// shows them as cards.
//
// What it is: operations show, open, list and close over greentic:state/state-store@1.0.0.
// Who calls it: the helpdesk flow; the card templates come from the pack through the host's
// card help. What it refuses to do: keep more than maxTickets, translate (texts carry
// {{i18n:…}} tokens that the host replaces). Main types: desk, ticket. Tested in
// tickets_test.go.
package main
