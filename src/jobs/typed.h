// Jobs as C++ types: a struct holds the arguments, a handler is registered for the struct, and what is
// enqueued is known to be readable again.
//
//   struct SendReport {
//     std::string to;
//     int year = 0;
//     static constexpr std::string_view job_kind = "send-report";
//   };
//   NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(SendReport, to, year)
//
//   engine.on<SendReport>([](const SendReport& report, JobContext& context, std::stop_token stop) { … });
//   engine.enqueue(SendReport{.to = "ada@example.org", .year = 2026});
//
// The struct has a default constructor and nlohmann's to_json and from_json. It may say more of itself:
//   static constexpr int job_version = 2;            1 where it says nothing
//   static Result<nlohmann::json> upgrade_job(nlohmann::json args, int version);
//       Makes the arguments of `version` those of version + 1. Needed from version 2 on.
//   NewJob job_options() const;                      queue, priority, retry, name … of a job of these
//   arguments
// A type that cannot have members of its own gets them as a specialisation of JobType.
//
// Version 2 of the kind "send-report" is stored as the kind "send-report@2". A program knows the versions up
// to its own; jobs of a newer one wait for a program that knows it (docs/decisions/0055).
#pragma once

#include "jobs/engine.h"
#include "jobs/job_json.h"

#include <nlohmann/json.hpp>

#include <concepts>
#include <exception>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace sluice::jobs {

// What makes T a job. The names are those of T's own members without "job".
template <class T>
struct JobType {
  static constexpr std::string_view kind = T::job_kind;
  static constexpr int version = [] {
    if constexpr (requires { T::job_version; }) return T::job_version;
    return 1;
  }();
  static NewJob options(const T& job)
    requires requires { job.job_options(); }
  {
    return job.job_options();
  }
  static Result<nlohmann::json> upgrade(nlohmann::json args, int from)
    requires requires { T::upgrade_job(std::move(args), from); }
  {
    return T::upgrade_job(std::move(args), from);
  }
};

namespace typed {

template <class T>
constexpr int version_of() {
  if constexpr (requires { JobType<T>::version; }) return JobType<T>::version;
  return 1;
}

template <class T>
constexpr void check_type() {
  constexpr int version = version_of<T>();
  static_assert(!JobType<T>::kind.empty() && JobType<T>::kind.find('@') == std::string_view::npos,
                "the kind of a job is a name without @");
  static_assert(version >= 1, "versions count from 1");
  static_assert(
      version == 1 || requires(nlohmann::json args) { JobType<T>::upgrade(std::move(args), 1); },
      "from version 2 on, upgrade_job() says what becomes of the arguments of earlier ones");
  static_assert(std::default_initializable<T>, "the struct is made first, then its fields are read");
}

template <class T>
Result<nlohmann::json> encode(const T& value) {
  try {
    return nlohmann::json(value);
  } catch (const std::exception& exception) {
    return fail(ErrorCode::invalid_argument, exception.what());
  }
}

// The other way; an error names the fields that do not fit.
template <class T>
Result<T> decode(const nlohmann::json& json) {
  JsonForm form;
  form.decode = [](const nlohmann::json& given, nlohmann::json* again) -> std::optional<std::string> {
    try {
      T value{};
      given.get_to(value);
      if (again != nullptr) *again = value;
      return {};
    } catch (const std::exception& exception) {
      return exception.what();
    }
  };
  form.defaults = [] { return encode(T{}).value_or(nlohmann::json()); };
  SLUICE_CHECK(check_fit(json, form));
  T value{};
  try {
    json.get_to(value);
  } catch (const std::exception& exception) {
    return fail(ErrorCode::internal, exception.what());
  }
  return value;
}

// Version by version to today's.
template <class T>
Result<T> read_args(std::string_view text, int version) {
  SLUICE_TRY(auto json, parse_args(text));
  if constexpr (version_of<T>() > 1) {
    for (; version < version_of<T>(); ++version) {
      try {
        SLUICE_TRY(json, JobType<T>::upgrade(std::move(json), version));
      } catch (const std::exception& exception) {
        return fail(ErrorCode::invalid_argument, std::string("upgrade_job() threw: ") + exception.what());
      }
    }
  }
  return decode<T>(json);
}

template <class T, class F>
auto call(F& handler, const T& job, JobContext& context, std::stop_token stop) {
  if constexpr (std::invocable<F&, const T&, JobContext&, std::stop_token>) {
    return handler(job, context, std::move(stop));
  } else if constexpr (std::invocable<F&, const T&, JobContext&>) {
    return handler(job, context);
  } else {
    return handler(job);
  }
}

inline Result<JobOutcome> outcome_of(Result<void> result, JobContext&) {
  if (!result) return std::unexpected(std::move(result).error());
  return JobOutcome{};
}
inline Result<JobOutcome> outcome_of(Result<JobOutcome> result, JobContext&) { return result; }
template <class R>
Result<JobOutcome> outcome_of(Result<R> result, JobContext& context) {
  if (!result) return std::unexpected(std::move(result).error());
  JobOutcome outcome;
  const auto json = encode(*result);
  if (json) {
    outcome.result = json->dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  } else {
    // The work is done, so the job is not failed for its report.
    context.log(LogLevel::warning,
                "the result could not be written as JSON and was not kept: " + json.error().message);
  }
  return outcome;
}

}  // namespace typed

// The job that enqueue(job, options) creates: for batches, continuations and enqueue_in(). An error
// (invalid_argument, too_large) names the field whose value would not come back as it is.
template <class T>
Result<NewJob> new_job(const T& job, NewJob options) {
  typed::check_type<T>();
  const std::string kind = versioned_kind(JobType<T>::kind, typed::version_of<T>());
  SLUICE_CHECK(check_options(options, kind));
  auto json = typed::encode(job);
  if (!json) return fail_within("job " + kind, std::move(json).error());
  auto args = write_args(*json, kind);
  if (!args) return std::unexpected(std::move(args).error());
  // Read as a worker will read it: NaN, a value over its limit, a to_json that forgets a field.
  SLUICE_TRY(const auto read, parse_args(*args));
  if (auto fits = typed::decode<T>(read); !fits) return fail_within("job " + kind, std::move(fits).error());
  if constexpr (requires { JobType<T>::options(job); }) {
    if (options.name.empty()) options.name = JobType<T>::options(job).name;
  }
  options.kind = kind;
  options.args = *std::move(args);
  return options;
}
template <class T>
Result<NewJob> new_job(const T& job) {
  if constexpr (requires { JobType<T>::options(job); }) return new_job(job, JobType<T>::options(job));
  return new_job(job, NewJob());
}

// What a handler that gives Result<R> has left.
template <class R>
Result<R> result_of(const Job& job) {
  SLUICE_TRY(const auto json, parse_result(job));
  auto result = typed::decode<R>(json);
  if (!result)
    return fail_within("result of job " + std::to_string(job.id.value()), std::move(result).error());
  return result;
}

template <class T, class F>
void Engine::on(F handler) {
  typed::check_type<T>();
  const auto shared = std::make_shared<F>(std::move(handler));
  for (int version = 1; version <= typed::version_of<T>(); ++version) {
    register_handler(versioned_kind(JobType<T>::kind, version),
                     [shared, version](JobContext& context, std::stop_token stop) -> Result<JobOutcome> {
                       auto job = typed::read_args<T>(context.job().args, version);
                       if (!job) return does_not_fit(std::move(job).error());
                       return typed::outcome_of(typed::call<T>(*shared, *job, context, std::move(stop)),
                                                context);
                     });
  }
}

template <class T>
  requires(!std::same_as<T, NewJob>)
Result<JobId> Engine::enqueue(const T& job) {
  SLUICE_TRY(auto made, new_job(job));
  return enqueue(std::move(made));
}

template <class T>
  requires(!std::same_as<T, NewJob>)
Result<JobId> Engine::enqueue(const T& job, NewJob options) {
  SLUICE_TRY(auto made, new_job(job, std::move(options)));
  return enqueue(std::move(made));
}

template <class T>
  requires(!std::same_as<T, NewJob> && !std::convertible_to<const T&, std::span<const NewJob>>)
Result<JobId> Engine::enqueue_in(sql::Connection& transaction, const T& job) {
  SLUICE_TRY(auto made, new_job(job));
  return enqueue_in(transaction, std::move(made));
}

template <class T>
Result<void> Engine::upsert_recurring(const T& job, RecurringSpec spec) {
  SLUICE_TRY(auto made, new_job(job));
  spec.kind = std::move(made.kind);
  spec.args = std::move(made.args);
  if (spec.name.empty()) spec.name = std::move(made.name);
  if (spec.queue == NewJob().queue) spec.queue = std::move(made.queue);
  if (spec.retry == RetryPolicy::none()) spec.retry = made.retry;
  return upsert_recurring(std::span(&spec, 1));
}

}  // namespace sluice::jobs
