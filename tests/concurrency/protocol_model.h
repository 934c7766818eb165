// docs/concurrency.md "The protocol" as a small machine whose every interleaving can be tried. It shares no code with the
// program on purpose: it is what the text says, and the program is compared with the text by other tests.
//
// What a step is: one list of one log, one put, one delete. That covers a put in progress, too: a store shows it from some
// moment between its begin and its end on, and the step is that moment. An actor that is killed or paused for ever is one
// that takes no more steps, so every state that is reached is also a state in which any of them died.
//
// What is assumed of a store, beside what a put that has ended promises: what one list has shown, later lists show.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace holdfast::model {

inline constexpr int kWriters = 2, kAttempts = 3, kPrunes = 3;
inline constexpr int kPoints = 1 + kWriters * kAttempts;   // point 0 is there, acknowledged, from the beginning
inline constexpr int kContents = 2;                        // what a point may need to store
inline constexpr int kObjects = kContents + kWriters * kAttempts * kContents;   // the first ones are there already

using Objects = std::uint16_t;   // a set: bit n is object n, which holds content n % kContents
using Records = std::uint32_t;
using Points = std::uint8_t;
using Intents = std::uint8_t;     // by the prune that put it
static_assert(kObjects <= 16 && kPoints <= 8);

// Every record that may ever be written has its bit.
constexpr int point_record(int point) { return point; }
constexpr int forget_record(int point) { return kPoints + point; }
constexpr int intent_record(int prune) { return 2 * kPoints + prune; }
constexpr int fence_record(int prune, int intent) { return 2 * kPoints + kPrunes + prune * kPrunes + intent; }
static_assert(fence_record(kPrunes - 1, kPrunes - 1) < 32);

// Each is a rule of the protocol; a rule that is switched off must lead to a violation.
struct Rules {
  bool writer_looks_again = true;         // V1 of a writer
  bool prune_looks_again = true;          // V1 of a prune
  bool prune_condemns_first = true;       // no deleting without an intent
  bool fence_before_delete = true;
  bool writer_heeds_intents = true;       // that have no fence yet
  bool writer_heeds_fences = true;
  bool points_can_be_void = true;
  bool names_never_come_back = true;
  bool concludes_own_intent_only = true;  // otherwise a prune puts fences for the intents of others as well
  bool fence_tells_its_ground = true;     // V1, and not what there was when the fence was put
  bool point_tells_its_ground = true;     // V0, and not what there was when the point's record was put
};

struct Shape {
  int writers = 1, attempts = 2, prunes = 1;
  int contents = 1;
  bool forgets_first = true;        // somebody forgets point 0
  bool forgets_others = false;      // and somebody any other point that is there
  bool reader = true;
  enum class Order : std::uint8_t { writers_first, prunes_first, any } order = Order::any;   // in which a view lists the logs
  bool shared_log = false;          // prune 0 runs on the machine of writer 0 and writes to the same log
};

enum class WriterAt : std::uint8_t { first_view, choose, put_objects, put_point, second_view, withdraw, done, gave_up };
enum class PruneAt : std::uint8_t { first_view, put_intent, second_view, put_fences, deleting, done };

struct View {
  Records records = 0;
  std::uint8_t listed = 0;          // logs
  bool operator==(const View&) const = default;
};

struct Writer {
  View view;
  WriterAt at = WriterAt::first_view;
  std::uint8_t attempt = 0;
};

struct Prune {
  View view;
  PruneAt at = PruneAt::first_view;
  Intents to_conclude = 0;
  Objects deletes = 0;
};

struct Reader {
  View view;
  bool reads = false;
  Objects gone = 0;                 // before it began
};

struct State {
  Records visible = 0;
  Objects exists = 0, ever = 0;
  Points acknowledged = 0;
  std::array<Objects, kPoints> needs{};
  std::array<Objects, kPrunes> condemned{};           // by the intent of each prune
  std::array<Records, kPoints> ground{};              // intents that the point's V0 held
  std::array<std::array<Objects, kPrunes>, kPrunes> goes{};   // by fence of a prune, of an intent
  std::array<Points, kPrunes> fence_ground{};         // points that the prune's V1 held
  std::array<Writer, kWriters> writers;
  std::array<Prune, kPrunes> prunes;
  Reader reader;
};

struct Successor {
  State state;
  std::string step;        // only when asked for
  std::string violation;   // "" : none that only the step shows
};

class Protocol {
 public:
  Protocol(const Shape& shape, const Rules& rules) : shape_(shape), rules_(rules) {}

  State initial() const;
  // `told`: with the steps in words.
  void successors(const State& state, bool told, std::vector<Successor>& out) const;
  // What must hold in every state. "" when it does.
  std::string violation(const State& state) const;
  // What must hold when everybody ran to the end. "" when it does, or when somebody has not.
  std::string unfinished_business(const State& state) const;

 private:
  struct Emit;
  int logs() const { return shape_.writers + shape_.prunes; }
  int log_of(int record) const;
  Records log_records(int log) const;
  template <class Then>
  void list_logs(const State& s, View& (*view)(State&, int), int actor, const std::string& who, Emit& emit, Then then) const;

  bool is_void(const State& s, int point, Records view) const;
  Points existing(const State& s, Records view) const;
  Objects needed(const State& s, Records view) const;
  Objects condemned(const State& s, Records view) const;
  Objects new_object(int writer, int attempt, int content) const;

  void writer_steps(const State& s, int w, Emit& emit) const;
  void choose(const State& s, int w, Records view, Emit& emit) const;
  void after_second_view(State& s, int w) const;
  void prune_steps(const State& s, int k, Emit& emit) const;
  void after_first_view(State& s, int k) const;
  void after_second_prune_view(State& s, int k) const;
  void forget_steps(const State& s, Emit& emit) const;
  void reader_steps(const State& s, Emit& emit) const;
  std::string reader_verdict(const State& s) const;

  Shape shape_;
  Rules rules_;
};

}  // namespace holdfast::model
