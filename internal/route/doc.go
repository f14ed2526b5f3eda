// Package route is how a plane offers HTTP: routes as data.
//
// What it is: one struct. Who calls it: planes return routes, gateway mounts them and checks
// authorisation on the parsed route before the handler runs. What it refuses to do: match or
// serve anything. Main type: [Route]. It is tested where routes are served, in gateway.
package route
