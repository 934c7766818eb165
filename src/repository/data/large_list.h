// A list that may be long, of plain values: from one MiB on it is in a file without a name in the system's temporary folder, so
// that it takes the machine's page cache and no memory of the process. Where no such file can be made it is in memory. It grows
// at its end. One thread may change it, or several look at it.
#pragma once

#include <algorithm>
#include <filesystem>
#include <optional>
#include <span>
#include <type_traits>
#include <vector>

#include "base/error.h"
#include "platform/mapped_file.h"

namespace holdfast::repository {

template <class T>
class LargeList {
  static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);

 public:
  LargeList() = default;
  LargeList(const LargeList&) = delete;
  LargeList& operator=(const LargeList&) = delete;

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  // Pointers into it are good until the next push_back().
  T* begin() { return room_.data(); }
  T* end() { return room_.data() + size_; }
  const T* begin() const { return room_.data(); }
  const T* end() const { return room_.data() + size_; }
  T& operator[](std::size_t place) { return room_[place]; }
  const T& operator[](std::size_t place) const { return room_[place]; }

  void push_back(const T& item) {
    const T copy = item;   // it may be of this list
    if (size_ == room_.size()) grow();
    room_[size_++] = copy;
  }
  // Precondition: size <= size().
  void shorten(std::size_t size) { size_ = size; }

 private:
  static constexpr std::size_t kFew = (std::size_t{1} << 20) / sizeof(T);

  static std::optional<platform::MappedFile> file_for(std::size_t items) {
    std::error_code error;
    std::filesystem::path folder = std::filesystem::temp_directory_path(error);
    if (error) return std::nullopt;
    try {
      return platform::MappedFile::temporary(folder, items * sizeof(T));
    } catch (const Error&) {
      return std::nullopt;
    }
  }

  void grow() {
    const std::size_t capacity = std::max(kFew, room_.size() * 2);
    std::optional<platform::MappedFile> file = capacity > kFew ? file_for(capacity) : std::nullopt;
    std::vector<T> memory(file ? 0 : capacity);
    std::span<T> room = file ? std::span(reinterpret_cast<T*>(file->writable().data()), capacity) : std::span(memory);
    std::copy(begin(), end(), room.begin());
    room_ = room;
    memory_.swap(memory);
    file_.reset();
    if (file) file_.emplace(std::move(*file));
  }

  std::vector<T> memory_;                      // all of it, or none
  std::optional<platform::MappedFile> file_;
  std::span<T> room_;                          // into one of the two
  std::size_t size_ = 0;
};

}  // namespace holdfast::repository
