#include "service/api/stored_file.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "report/json.h"

namespace holdfast::service {
namespace {

// Chunks have about 1 MiB and are decoded whole: smaller reads would decode each several times.
constexpr std::uint64_t kRead = 1 << 20;
constexpr std::size_t kPiece = 64 * 1024;  // what one call gives to the server

class StoredFile {
 public:
  explicit StoredFile(tree::NodePtr node) : node_(std::move(node)), size_(node_->entry().size) {}

  std::string next() {
    if (given_ == buffer_.size()) fill();
    std::string piece = buffer_.substr(given_, kPiece);
    given_ += piece.size();
    return piece;
  }

 private:
  void fill() {
    given_ = 0;
    buffer_.clear();
    while (buffer_.empty() && at_ < size_) {
      const Range range = range_at(at_);
      const std::uint64_t length = std::min(kRead, range.end - at_);
      if (range.hole)
        buffer_.assign(length, '\0');
      else
        read(range.stream + (at_ - range.begin), length);
      at_ += length;
    }
  }

  void read(std::uint64_t from, std::uint64_t length) {
    buffer_.reserve(length);
    node_->read(from, length, [&](std::uint64_t, ByteView bytes) { buffer_.append(as_text(bytes)); });
    if (buffer_.size() != length)
      throw Error(Code::damaged, "cannot read a stored file: its content is shorter than it says");
  }

  // A stretch of the file that holds data, which begins at `stream` in the content, or that is a hole.
  struct Range {
    std::uint64_t begin, end, stream;
    bool hole;
  };
  Range range_at(std::uint64_t offset) const {
    const tree::Entry& e = node_->entry();
    if (!e.sparse) return {0, size_, 0, false};
    std::uint64_t stream = 0, hole = 0;
    for (const tree::Extent& x : e.extents) {
      if (offset < x.offset) return {hole, x.offset, 0, true};
      if (offset < x.offset + x.length) return {x.offset, x.offset + x.length, stream, false};
      stream += x.length;
      hole = x.offset + x.length;
    }
    return {hole, size_, 0, true};
  }

  const tree::NodePtr node_;
  const std::uint64_t size_;
  std::uint64_t at_ = 0;
  std::string buffer_;
  std::size_t given_ = 0;
};

std::string decoded(std::string_view segment) {
  std::string out;
  for (std::size_t i = 0; i < segment.size(); ++i) {
    if (segment[i] != '%') {
      out += segment[i];
      continue;
    }
    std::uint8_t byte = 0;
    if (i + 2 >= segment.size() || !from_hex(segment.substr(i + 1, 2), {&byte, 1}))
      throw Error(Code::usage,
                  "'" + printable(segment) + "' is no segment of a path: '%' needs two hex digits")
          .safe("nothing was changed");
    out += static_cast<char>(byte);
    i += 2;
  }
  return out;
}

// RFC 6266: a name that every client can take, and the real one.
std::string disposition(const std::string& name) {
  std::string plain;
  for (char c : name) plain += c >= 0x20 && c < 0x7F && c != '"' && c != '\\' && c != '%' ? c : '_';
  std::string text = "attachment; filename=\"" + (plain.empty() ? std::string("file") : plain) + "\"";
  if (is_utf8(name) && plain != name) text += "; filename*=UTF-8''" + report::path_segment(name);
  return text;
}

}  // namespace

tree::NodePtr node_at(const tree::NodePtr& root, std::string_view path) {
  tree::NodePtr node = root;
  if (path.empty()) return node;
  for (const std::string& segment : split(path, '/')) {
    const std::string name = decoded(segment);
    node =
        tree::is_safe_name(name) && node->entry().kind == tree::Kind::directory ? node->child(name) : nullptr;
    if (!node)
      throw Error(Code::not_found, "there is nothing at '" + printable(path) + "' in this item")
          .safe("nothing was changed");
  }
  return node;
}

http::Response file_answer(const tree::NodePtr& root, tree::NodePtr file, std::shared_ptr<const void> keeps) {
  std::string name = file->entry().name;
  if (file->entry().kind == tree::Kind::hard_link) {
    tree::NodePtr first = tree::find(root, file->entry().target);
    if (!first)
      throw Error(Code::damaged, "a file of this item is another name of '" +
                                     printable(file->entry().target) + "', which is not there");
    file = std::move(first);
  }
  if (file->entry().kind != tree::Kind::file)
    throw Error(Code::precondition, "'" + printable(name) + "' is no file")
        .safe("nothing was changed")
        .hint("'restore' gives folders back");
  http::Response response;
  response.headers = {{"Content-Type", "application/octet-stream"},
                      {"Content-Disposition", disposition(name)}};
  response.body = http::SourcedBody{
      [keeps = std::move(keeps), content = std::make_shared<StoredFile>(file)] { return content->next(); },
      file->entry().size};
  return response;
}

}  // namespace holdfast::service
