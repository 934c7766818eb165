#include "tree.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace compat {

namespace {

constexpr int kDeepest = 4096;

Entry read_entry(View bytes, bool is_root) {
  const Fields fields(bytes, "a tree entry");
  Entry entry;
  entry.name = fields.text(1);
  entry.kind = fields.number(3);
  entry.mode = fields.number(4);
  entry.size = fields.number(6);
  entry.target = fields.text(11);
  require(entry.kind >= kDirectory && entry.kind <= kHardLink, "a tree entry is of an unknown kind");
  require(entry.mode <= 07777, "a tree entry has an impossible mode");
  require(fields.number(2, 1) == 1, "a tree entry has a name of Windows: this reader restores POSIX trees");
  const bool harmless = !entry.name.empty() && entry.name != "." && entry.name != ".." &&
                        entry.name.find('/') == Bytes::npos && entry.name.find('\0') == Bytes::npos;
  require(is_root || harmless, "a tree entry has an impossible name");
  if (fields.maybe(7)) entry.modified = fields.time(7);
  if (const auto owner = fields.maybe(5)) {
    Cursor in(*owner, "an owner");
    entry.uid = in.varint();
    entry.gid = in.varint();
    in.expect_end();
  }
  if (const auto device = fields.maybe(12)) {
    Cursor in(*device, "a device");
    entry.major = in.varint();
    entry.minor = in.varint();
    in.expect_end();
  }
  if (const auto extents = fields.maybe(13)) {
    entry.extents.emplace();
    std::uint64_t end = 0;
    for (Cursor in(*extents, "extents"); !in.at_end();) {
      const std::uint64_t offset = in.varint(), size = in.varint();
      require(offset >= end && offset <= entry.size && size <= entry.size - offset,
              "extents are not in order or outside the file");
      entry.extents->push_back({offset, size});
      end = offset + size;
    }
  }
  for (const View attribute : fields.all(14)) {
    Cursor in(attribute, "an attribute");
    const std::uint16_t type = in.u16();
    const Bytes name(in.blob());
    entry.attributes.push_back({type, name, Bytes(in.rest())});
  }
  return entry;
}

Node read_node(Cursor& in, bool is_root) {
  Node node;
  node.entry = read_entry(in.blob(), is_root);
  const std::uint8_t has_content = in.u8();
  require(has_content <= 1, "a tree node is malformed");
  if (has_content == 1) node.content = read_content_reference(in);
  const bool needs_one = node.entry.kind == kDirectory || node.entry.kind == kFile;
  require(needs_one == node.content.has_value(),
          "a tree node has a content that it should not have, or none");
  if (node.entry.kind != kFile) return node;
  std::uint64_t stream = node.entry.extents ? 0 : node.entry.size;
  if (node.entry.extents)
    for (const auto& extent : *node.entry.extents) stream += extent.size;
  require(stream == node.content->size, "a file has another size than its content");
  return node;
}

std::vector<Node> read_listing(Chunks& chunks, const Node& directory) {
  Bytes listing;
  chunks.read(*directory.content, kTree, [&](View piece) { listing += piece; });
  std::vector<Node> nodes;
  for (Cursor in(listing, "a directory"); !in.at_end();) {
    nodes.push_back(read_node(in, false));
    const std::size_t n = nodes.size();
    require(n < 2 || nodes[n - 2].entry.name < nodes[n - 1].entry.name,
            "the names of a directory are not in order");
  }
  return nodes;
}

void system_call(bool worked, const std::string& what) {
  if (!worked) throw Refused("cannot " + what + ": " + std::strerror(errno));
}

/// Puts one tree under one folder. Nothing is ever written through something that lies there already:
/// everything is made anew, and a hard link may only lead to a file that was made here.
class Restorer {
 public:
  Restorer(Chunks& chunks, std::string top) : chunks_(chunks), top_(std::move(top)) {}

  void restore(const Node& root) {
    make(root, "", 0);
    for (const auto& [path, target] : hard_links_) {
      require(files_.contains(target), "a hard link leads to '" + target + "', which is not in the tree");
      system_call(link(at(target).c_str(), at(path).c_str()) == 0, "link " + path);
    }
    for (auto folder = folders_.rbegin(); folder != folders_.rend(); ++folder)
      set_attributes(folder->first, folder->second);
  }

 private:
  std::string at(const std::string& path) const { return path.empty() ? top_ : top_ + "/" + path; }

  void make(const Node& node, const std::string& path, int depth) {
    const Entry& entry = node.entry;
    const std::string place = at(path);
    require(depth <= kDeepest, "the tree is too deep");
    const dev_t device = makedev(static_cast<unsigned>(entry.major), static_cast<unsigned>(entry.minor));
    switch (entry.kind) {
      case kDirectory:
        system_call(mkdir(place.c_str(), 0700) == 0, "make folder " + place);
        folders_.emplace_back(path, entry);
        for (const Node& child : read_listing(chunks_, node))
          make(child, path.empty() ? child.entry.name : path + "/" + child.entry.name, depth + 1);
        return;
      case kFile:
        write_file(node, place);
        break;
      case kSymlink:
        system_call(symlink(entry.target.c_str(), place.c_str()) == 0, "make link " + place);
        break;
      case kFifo:
        system_call(mkfifo(place.c_str(), 0600) == 0, "make FIFO " + place);
        break;
      case kCharacterDevice:
        system_call(mknod(place.c_str(), S_IFCHR | 0600, device) == 0, "make device " + place);
        break;
      case kBlockDevice:
        system_call(mknod(place.c_str(), S_IFBLK | 0600, device) == 0, "make device " + place);
        break;
      default:
        hard_links_.emplace_back(path, entry.target);
        return;
    }
    files_.insert(path);
    set_attributes(path, entry);
  }

  void write_file(const Node& node, const std::string& place) {
    const int file = open(place.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    system_call(file >= 0, "make " + place);
    const std::unique_ptr<const int, void (*)(const int*)> closer(&file, [](const int* f) { close(*f); });
    const std::vector<Entry::Extent> whole = {{0, node.entry.size}};
    const auto& extents = node.entry.extents ? *node.entry.extents : whole;
    std::size_t extent = 0;
    std::uint64_t done = 0;  // of this extent
    chunks_.read(*node.content, kData, [&](View piece) {
      while (!piece.empty()) {
        while (extents.at(extent).size == done) ++extent, done = 0;
        const std::uint64_t n = std::min<std::uint64_t>(piece.size(), extents[extent].size - done);
        const auto offset = static_cast<off_t>(extents[extent].offset + done);
        system_call(pwrite(file, piece.data(), n, offset) == static_cast<ssize_t>(n), "write " + place);
        piece.remove_prefix(n);
        done += n;
      }
    });
    system_call(ftruncate(file, static_cast<off_t>(node.entry.size)) == 0, "size " + place);
  }

  void set_attributes(const std::string& path, const Entry& entry) {
    const std::string place = at(path);
    system_call(lchown(place.c_str(), static_cast<uid_t>(entry.uid), static_cast<gid_t>(entry.gid)) == 0,
                "own " + place);
    if (entry.kind != kSymlink)
      system_call(chmod(place.c_str(), static_cast<mode_t>(entry.mode)) == 0, "set the mode of " + place);
    for (const Attribute& attribute : entry.attributes) {
      const Bytes name = attribute.type == 2   ? "system.posix_acl_access"
                         : attribute.type == 3 ? "system.posix_acl_default"
                                               : attribute.name;
      require(attribute.type >= 1 && attribute.type <= 3,
              place + " has an attribute that this reader cannot restore");
      system_call(
          lsetxattr(place.c_str(), name.c_str(), attribute.value.data(), attribute.value.size(), 0) == 0,
          "set " + name + " of " + place);
    }
    const timespec modified = {entry.modified.seconds, entry.modified.nanoseconds},
                   times[2] = {modified, modified};
    system_call(utimensat(AT_FDCWD, place.c_str(), times, AT_SYMLINK_NOFOLLOW) == 0,
                "set the time of " + place);
  }

  Chunks& chunks_;
  std::string top_;
  std::set<std::string> files_;
  std::vector<std::pair<std::string, std::string>> hard_links_;
  std::vector<std::pair<std::string, Entry>> folders_;
};

void verify_below(Chunks& chunks, const Node& node, int depth) {
  require(depth <= kDeepest, "the tree is too deep");
  if (node.entry.kind == kFile) chunks.read(*node.content, kData, [](View) {});
  if (node.entry.kind != kDirectory) return;
  for (const Node& child : read_listing(chunks, node)) verify_below(chunks, child, depth + 1);
}

}  // namespace

Node read_root(View field) {
  Cursor in(field, "a root node");
  Node node = read_node(in, true);
  in.expect_end();
  return node;
}

void verify_tree(Chunks& chunks, const Node& root) { verify_below(chunks, root, 0); }

void restore_tree(Chunks& chunks, const Node& root, const std::string& place) {
  Restorer(chunks, place).restore(root);
}

}  // namespace compat
