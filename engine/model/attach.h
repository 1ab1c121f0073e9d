#pragma once

#include "engine/model/dynamic.h"
#include "engine/schema/problem.h"

namespace fairlead::model {

// Puts a problem of reading (also of a label that could not be split into a key) on the element that its
// segments name, as a reason; an element that is not there yet is made, so that it can be seen to be broken.
// What belongs to no element goes to Dynamic::reasons. Whether the reason breaks the element: see read.h.
void attach(Dynamic& dynamic, const schema::Problem& problem, const schema::Origin& origin);

// The problem as a reason that breaks nothing.
Reason reason_of(const schema::Problem& problem);
// The same, for what belongs to no element: its text names the container or file, or else `origin`.
Reason reason_at(const schema::Problem& problem, const schema::Origin& origin);

}  // namespace fairlead::model
