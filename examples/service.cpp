// A small service that makes IDs from several threads, one at a time and in batches. It
// keeps its high-water mark in a file, so that a restart cannot repeat an ID even where
// the clock went back meanwhile.
//
//   idgen_service MARK_FILE [MACHINE_ID]
//
// Exit code: 0 when all is well, 1 when an ID is not what it must be, 2 when the service
// could not work.
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <idgen/generator.h>

namespace {

constexpr int kThreads = 4;
constexpr int kRounds = 200;
constexpr std::size_t kSingles = 50;
constexpr std::size_t kBatch = 200;

// The mark in its file. A mark is written ahead of its use and never moves back.
class MarkFile {
 public:
  explicit MarkFile(std::filesystem::path path) : path_(std::move(path)) {}

  // False when another process holds the mark, or when it cannot be read. A file that is
  // not there is a first start; one that is damaged is not.
  bool Open() {
    // The lock goes with the process, and on a file of its own: the mark's is replaced.
    const int lock = open((path_.string() + ".lock").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0644);
    if (lock < 0 || flock(lock, LOCK_EX | LOCK_NB) != 0) return false;
    if (!std::filesystem::exists(path_)) return true;
    std::ifstream file(path_);
    std::string text;
    if (!std::getline(file, text)) return false;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), mark_ms_);
    return error == std::errc{} && end == text.data() + text.size() && mark_ms_ > 0;
  }

  std::int64_t mark_ms() const { return mark_ms_; }
  int writes() const { return writes_; }

  // For Generator::Options: several threads may come at once.
  static std::int64_t Extend(void* context, std::int64_t needed_ms) {
    MarkFile& self = *static_cast<MarkFile*>(context);
    const std::lock_guard lock(self.mutex_);
    if (needed_ms <= self.mark_ms_) return self.mark_ms_;  // another thread was faster
    const std::int64_t later_ms = needed_ms + kWindowMs;
    // Where the write fails the old mark stands, and the generator hands out nothing.
    if (self.Write(later_ms)) self.mark_ms_ = later_ms;
    return self.mark_ms_;
  }

 private:
  // One write a second at most, and at most a second to wait after a restart.
  static constexpr std::int64_t kWindowMs = 1000;

  // Durable when it returns true: the new file first, then its name.
  bool Write(std::int64_t mark_ms) {
    const std::string text = std::to_string(mark_ms) + "\n";
    const std::filesystem::path temporary = path_.string() + ".new";
    const int file = open(temporary.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);
    if (file < 0) return false;
    const bool written =
        write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
        fsync(file) == 0;
    close(file);
    if (!written || std::rename(temporary.c_str(), path_.c_str()) != 0) return false;
    ++writes_;
    return SyncFolder();
  }

  bool SyncFolder() const {
    const std::filesystem::path folder = path_.has_parent_path() ? path_.parent_path() : ".";
    const int file = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file < 0) return false;
    const bool synced = fsync(file) == 0;
    close(file);
    return synced;
  }

  std::filesystem::path path_;
  std::mutex mutex_;
  std::int64_t mark_ms_ = 0;
  int writes_ = 0;
};

// One thread's work: requests that need one ID, and some that need many.
bool Work(idgen::Generator& generator, std::vector<std::int64_t>& ids) {
  std::array<std::int64_t, kBatch> batch{};
  for (int round = 0; round < kRounds; ++round) {
    for (std::size_t i = 0; i < kSingles; ++i) {
      const idgen::Result result = generator.Next();
      if (result.status != idgen::Status::kOk) {
        std::fprintf(stderr, "no ID: %s\n", idgen::StatusText(result.status));
        return false;
      }
      ids.push_back(result.id);
    }
    std::size_t filled = 0;
    const idgen::Status status = generator.NextBatch(batch, filled);
    ids.insert(ids.end(), batch.begin(), batch.begin() + static_cast<std::ptrdiff_t>(filled));
    if (status != idgen::Status::kOk) {
      std::fprintf(stderr, "no batch: %s\n", idgen::StatusText(status));
      return false;
    }
  }
  return true;
}

long long Show(std::int64_t number) { return static_cast<long long>(number); }

}  // namespace

int main(int argc, char** argv) {
  std::uint64_t machine = 1;
  if (argc == 3) {
    const std::string text = argv[2];
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), machine);
    if (error != std::errc{} || end != text.data() + text.size()) argc = 0;
  }
  if (argc < 2 || argc > 3) {
    std::fprintf(stderr, "usage: idgen_service MARK_FILE [MACHINE_ID]\n");
    return 2;
  }
  MarkFile mark(argv[1]);
  if (!mark.Open()) {
    std::fprintf(stderr, "the mark file %s is in use or cannot be read\n", argv[1]);
    return 2;
  }
  const std::int64_t start_ms = mark.mark_ms();

  idgen::Generator::Options options;
  options.identity.machine = machine;
  options.not_before_ms = start_ms;
  options.extend_mark = &MarkFile::Extend;
  options.mark_context = &mark;
  idgen::Generator generator(idgen::kSnowflake, options);

  std::array<std::vector<std::int64_t>, kThreads> made;
  std::array<bool, kThreads> worked{};
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] { worked[i] = Work(generator, made[i]); });
  }
  for (std::thread& thread : threads) thread.join();
  if (!std::all_of(worked.begin(), worked.end(), [](bool ok) { return ok; })) return 2;

  bool right = true;
  const auto check = [&right](bool condition, const char* what) {
    if (!condition) std::fprintf(stderr, "violated: %s\n", what);
    right = right && condition;
  };
  std::vector<std::int64_t> all;
  for (const auto& ids : made) {
    check(std::is_sorted(ids.begin(), ids.end()), "each thread's IDs increase");
    all.insert(all.end(), ids.begin(), ids.end());
  }
  std::sort(all.begin(), all.end());
  check(all.size() == std::size_t{kThreads} * kRounds * (kSingles + kBatch), "all IDs are there");
  check(std::adjacent_find(all.begin(), all.end()) == all.end(), "no ID twice");
  const auto time_ms = [](std::int64_t id) {
    const idgen::Parts parts = idgen::kSnowflake.Parse(static_cast<std::uint64_t>(id));
    return idgen::kSnowflake.StartOfTick(parts.tick) / 1000;
  };
  check(time_ms(all.front()) >= start_ms, "the first ID is not before the old mark");
  check(time_ms(all.back()) < mark.mark_ms(), "the last ID is before the new mark");

  std::printf("IDs            %zu from %d threads, all different\n", all.size(), kThreads);
  std::printf("smallest       %lld\n", Show(all.front()));
  std::printf("largest        %lld\n", Show(all.back()));
  std::printf("time           %lld ms from the first ID to the last\n",
              Show(time_ms(all.back()) - time_ms(all.front())));
  std::printf("mark at start  %lld\n", Show(start_ms));
  std::printf("mark at end    %lld, written %d times\n", Show(mark.mark_ms()), mark.writes());
  return right ? 0 : 1;
}
