// Package greentic is the vocabulary every other package speaks: tenant context,
// identifiers, digests, triggers, messages, receipts.
//
// What it is: plain data, standard library only. Who calls it: everybody. What it
// refuses to do: I/O, policy, formats of others. Main types: [TenantCtx], [Trigger],
// [Message], [Receipt], [Digest]. Its promises are tested in greentic_test.go.
package greentic
