// One file of a recovery point as the body of an answer: read in bounded pieces while the client takes them.
#pragma once

#include "http/message.h"
#include "tree/streams.h"

namespace holdfast::service {

// The file at `path` below `root`: segments with '/' between them, each with %XX as report::path_segment()
// makes them; "" is the root. Error(not_found): there is nothing; Error(usage): a bad %XX.
tree::NodePtr node_at(const tree::NodePtr& root, std::string_view path);

// Answers with the content: holes of a sparse file as zeros, another name of a file (hard link) as that file,
// which is looked up below `root`. Error(precondition): it is no file. Damage that is found on the way cuts
// the connection. `keeps`: what the nodes stand on, for as long as they are read.
http::Response file_answer(const tree::NodePtr& root, tree::NodePtr file, std::shared_ptr<const void> keeps);

}  // namespace holdfast::service
