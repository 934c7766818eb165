// Everything that can be done to a repository, each as one run of the program.
#include "ground.h"
#include "repository/format/container.h"

namespace holdfast::proof {
namespace {

void begin(Machine& machine, unsigned points) {
  Program run(machine);
  make_repository(run.context(), password());
  for (unsigned n = 1; n <= points; ++n) back_up(run.repository(), machine.clock, n);
}

PointId point(Repository& repository, unsigned n) {
  for (const auto& p : repository.points())
    if (p.label == label_of(n)) return p.id;
  throw Error(Code::not_found, "there is no point " + label_of(n));
}

// Costs no time, as a password would.
SlotSecret machine_key() { return repository::parse_machine_key(as_bytes(repository::machine_key_file(Bytes(32, 4)))); }

void copy_to(Program& run) {
  repository::copy(run.store(), run.copy_store(), run.clock(), run.machine().entropy, {nullptr, nullptr, 1});
}

void export_to_file(Program& run, unsigned n) {
  Machine& m = run.machine();
  auto container = repository::create_container(m.target_files, kFile);
  repository::Context context{*container, run.clock(), m.entropy, nullptr, "export", "0.1.0", {}};
  auto to = repository::create(context, password(kFilePassword), kCheap).repository;
  repository::transfer(run.repository(), point(run.repository(), n), {}, *to, {nullptr, nullptr, 1});
  container->finish();
}

void import_from_file(Program& run) {
  Machine& m = run.machine();
  auto file = repository::open_container(m.target_files, kFile);
  auto from = repository::open({*file, m.clock, m.entropy, nullptr, "", "", {}}, password(kFilePassword));
  repository::transfer(*from, from->points().at(0).id, {}, run.repository(), {nullptr, nullptr, 1});
}

// A backup file from another server's repository.
Bytes exported(unsigned n) {
  Machine other(77);
  begin(other, n);
  other.disk.make_directory(kOut);
  Program run(other);
  export_to_file(run, n);
  return other.disk.read_all(kFile);
}

void verify_all(Program& run) {
  for (const auto& p : run.repository().points()) {
    auto report = run.repository().verify(p.id, {repository::Level::content, 1.0, {nullptr, nullptr, 1}});
    if (!report.damaged.empty()) throw Error(Code::damaged, report.damaged.front().what);
  }
}

void check_all(Program& run) {
  auto report = run.repository().check({repository::Level::content, 1.0, {nullptr, nullptr, 1}});
  if (!report.damaged.empty()) throw Error(Code::damaged, report.damaged.front().what);
}

void restore_all(Program& run) {
  for (const auto& p : run.repository().points()) {
    if (std::string wrong = difference(run.repository(), p); !wrong.empty()) ADD_FAILURE() << "a restore gave wrong bytes: " << wrong;
  }
}

void remove_slot_labelled(Repository& repository, const std::string& label) {
  for (const auto& slot : repository.slots_with_labels())
    if (slot.label == label) repository.remove_slot(slot.id);
}

// Points 1 to 3 of which 1 is forgotten, and what a killed backup left.
void prepare_to_prune(Machine& machine) {
  begin(machine, 3);
  Program run(machine);
  run.repository().forget({point(run.repository(), 1)}, "retention");
}

void prune_all(Program& run, bool old_epochs) {
  repository::PruneOptions options;
  options.most_unused = 0;
  options.rewrite_old_epochs = old_epochs;
  options.unused_for = std::chrono::seconds(0);
  options.run = {nullptr, nullptr, 1};
  run.repository().prune(options);
}

std::vector<Operation> all_operations() {
  auto points = [](unsigned n) { return [n](Machine& m) { begin(m, n); }; };
  auto on_repository = [](auto act) {
    return [act](Program& run) { act(run.repository()); };
  };
  std::set<Code> reads{Code::damaged};   // what cannot be read is told as damaged
  std::vector<Operation> all;
  all.push_back({"init", [](Machine&) {}, [](Program& run) { repository::create(run.context(), password(), kCheap); }});
  all.push_back({"first_backup", points(0), [](Program& run) { back_up(run.repository(), run.clock(), 1); }});
  all.push_back({"unchanged_backup", points(1), [](Program& run) { back_up(run.repository(), run.clock(), 1); }});
  all.push_back({"changed_backup", points(1), [](Program& run) { back_up(run.repository(), run.clock(), 2); }});
  all.push_back({"restore", points(2), restore_all, reads});
  all.push_back({"forget", points(2), [](Program& run) {
                   for (const auto& p : run.repository().points())
                     if (p.label == label_of(1)) run.repository().forget({p.id}, "retention");
                 }});
  all.push_back({"pin", points(2), on_repository([](Repository& r) { r.pin(point(r, 1), true); })});
  all.push_back({"unpin", [](Machine& m) { begin(m, 2); Program run(m); run.repository().pin(point(run.repository(), 1), true); },
                 on_repository([](Repository& r) { r.pin(point(r, 1), false); })});
  all.push_back({"verify", points(2), verify_all, reads});
  all.push_back({"check", points(2), check_all, reads});
  all.push_back({"first_copy", points(2), copy_to, reads});
  all.push_back({"next_copy", [](Machine& m) {
                   begin(m, 2);
                   Program run(m);
                   copy_to(run);
                   back_up(run.repository(), m.clock, 3);
                 }, copy_to, reads});
  all.push_back({"export", points(2), [](Program& run) { export_to_file(run, 2); }, reads});
  all.push_back({"import", [](Machine& m) {
                   begin(m, 1);
                   m.disk.replace(kFile, exported(2));
                 }, import_from_file, reads});
  all.push_back({"key_add", points(1), on_repository([](Repository& r) { r.add_slot(machine_key(), "another"); })});
  all.push_back({"key_remove", [](Machine& m) { begin(m, 1); Program run(m); run.repository().add_slot(machine_key(), "another"); },
                 on_repository([](Repository& r) { remove_slot_labelled(r, "another"); })});
  all.push_back({"accept_older", points(2), on_repository([](Repository& r) { r.accept_older("restored from tape"); })});
  all.push_back({"prune", [](Machine& m) { prepare_to_prune(m); }, [](Program& run) { prune_all(run, false); }, reads});
  all.push_back({"key_rotate", points(1), [](Program& run) {
                   if (run.repository().rotate_keys() > 1) back_up(run.repository(), run.clock(), 2);
                 }, reads});
  all.push_back({"prune_after_rotate", [](Machine& m) {
                   prepare_to_prune(m);
                   Program run(m);
                   run.repository().rotate_keys();
                   back_up(run.repository(), m.clock, 3);
                 }, [](Program& run) { prune_all(run, true); }, reads});
  return all;
}

}  // namespace

const std::vector<Operation>& operations() {
  static const std::vector<Operation> all = all_operations();
  return all;
}

}  // namespace holdfast::proof
