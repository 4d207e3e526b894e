// SPDX-License-Identifier: MIT
// What one may ask the server for, in word 0 of a call.
#pragma once

// ECHO     answers the words as sent, but word 0: the caller's badge
// FORWARD  hands the caller on to the back room, which answers words 0: its badge, 1: word 1 as
// sent DROP     drops the reply capability LOOK     says what came with the call. 0: a LOOK_* 1:
// the badge, or the status of using it RETURN   hands a copy of what came back in the answer. 0:
// the status of that GIFT     answers with a capability to a window of the server's own space. 0:
// whether one was wanted DEAF     answers, and then names no slot for a capability in the next call
enum { ECHO, FORWARD, DROP, LOOK, RETURN, GIFT, DEAF };

enum { LOOK_NOTHING, LOOK_CAPABILITY, LOOK_OWN };

#define ALICE     0xa11ceul // badges, as in the manifest
#define BOB       0xb0bul
#define BACK_DOOR 0xbacul
#define BELL      0x1ul
