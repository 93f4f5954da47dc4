# Rails' ActiveRecord. usage: client.rb setup | work WORKER SINGLE BULK | bench ROWS ROUNDS
require 'active_record'
require 'logger'
require 'tmpdir'

ActiveRecord::Base.establish_connection(
  adapter: 'postgresql', host: ENV['PGHOST'], port: ENV['PGPORT'], database: ENV['PGDATABASE'], username: ENV['PGUSER'],
  # Prepared statements belong to one connection of the pooler, and advisory locks to one session.
  prepared_statements: false, advisory_locks: false)
ActiveRecord.respond_to?(:default_timezone) ? ActiveRecord.default_timezone = :utc : ActiveRecord::Base.default_timezone = :utc

class CreateOrders < ActiveRecord::Migration[6.1]
  def change
    create_table :orders, id: :bigint, default: -> { 'snowflake_id()' } do |t|
      t.integer :worker, null: false
      t.integer :n, null: false
      t.string :item
    end
    create_table :counted do |t|
      t.integer :worker, null: false
      t.integer :n, null: false
      t.string :item
    end
  end
end

class Order < ActiveRecord::Base
end

class Counted < ActiveRecord::Base
  self.table_name = 'counted'
end

def setup
  ActiveRecord::Migration.verbose = false
  CreateOrders.new.migrate(:up)
  connection = ActiveRecord::Base.connection
  # Fixtures reset what they take for a sequence. There must be none.
  raise 'a sequence was found' if connection.pk_and_sequence_for('orders')
  connection.reset_pk_sequence!('orders')
  # db/schema.rb keeps the default.
  schema = StringIO.new
  ActiveRecord::SchemaDumper.dump(connection, schema)
  raise schema.string unless schema.string =~ /create_table "orders", id: :bigint, default: -> \{ "snowflake_id\(\)" \}/
end

def rows(worker, first, count)
  (first...first + count).map { |n| { worker: worker, n: n, item: 'many' } }
end

def work(worker, single, bulk)
  keys = (0...single).map { |n| Order.create!(worker: worker, n: n, item: 'one').id }
  keys += Order.insert_all!(rows(worker, single, bulk), returning: :id).rows.flatten
  read = Order.where(worker: worker).order(:n).pluck(:id)
  raise 'keys read back' unless keys == read && keys == keys.sort
  found = Order.where('id >= snowflake_min_id(?)', 1.hour.ago).where(worker: worker).count
  raise 'time range' unless found == single + bulk
end

def bench(count, rounds)
  rounds.times do |round|
    { 'identity' => Counted, 'idgen' => Order }.to_a.rotate(round).each do |name, model|
      model.connection.truncate(model.table_name)
      began = Process.clock_gettime(Process::CLOCK_MONOTONIC)
      rows(1, 0, count).each_slice(1000) { |slice| model.insert_all!(slice, returning: :id) }
      puts "#{name} #{Process.clock_gettime(Process::CLOCK_MONOTONIC) - began}"
    end
  end
end

command, *numbers = ARGV
send(command, *numbers.map(&:to_i))
